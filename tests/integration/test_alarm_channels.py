"""Channels against real servers on this machine: what arrives, what a refusal becomes, what a slow one holds up."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.channels.alertmanager import AlertmanagerChannel
from alerts.channels.apprise_channel import AppriseChannel
from alerts.channels.base import HEARTBEAT, Channel, ChannelError, Message
from alerts.channels.settings import Channels, variable_of
from deploy.local.stack import free_port
from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.settings import SettingsError
from tests.fakes.alarm_receivers import HttpReceiver, MailReceiver, http_receiver, mail_receiver

T0 = 1_763_735_525_000
ALARM = {
    "episode": 17,
    "rule": "gate-demand",
    "name": {"zh": "关口功率过高", "en": "Gate power too high"},
    "kind": "threshold",
    "priority": "high",
    "subject": "point:gate/active_power",
    "value": 962.0,
    "worst": 970.0,
    "limit": 950.0,
    "unit": "kW",
    "reason": {"zh": "超过", "en": "above"},
    "fired_ms": T0 - 60_000,
    "resolved_ms": None,
    "link": "https://park.example.org/#alarms/17",
}


def message(why: str = "first", **alarm: Any) -> Message:
    details = {"v": 1, "park": "demo", "why": why, "alarms": [ALARM | alarm]}
    return Message(
        f"17-{why}-0-desk", why, "high", "【高】告警：关口功率过高 962 kW", "数值：962 kW\nlimit 950 kW", details
    )


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        yield running


@pytest.fixture
def mailbox() -> Iterator[MailReceiver]:
    with mail_receiver() as running:
        yield running


async def refused(channel: Channel, sent: Message | None = None) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        await channel.send(sent or message())
    return caught.value


async def test_mail_arrives_once_known_by_its_message_id(mailbox: MailReceiver) -> None:
    channel = AppriseChannel(
        f"mailto://127.0.0.1:{mailbox.port}?from=alarms@park.example&to=desk@park.example&mode=insecure"
    )
    await channel.send(message())
    await channel.send(message())
    await channel.send(message("recovered"))
    first, again, over = mailbox.mails
    assert first["Subject"] == "【高】告警：关口功率过高 962 kW"
    assert first.get_content_type() == "text/plain"
    assert first.get_content().replace("\r\n", "\n").strip() == "数值：962 kW\nlimit 950 kW"
    assert first.get_all("Message-ID") == [f"<{message().fingerprint}.parkcarbon@127.0.0.1>"]
    assert again["Message-ID"] == first["Message-ID"] != over["Message-ID"]
    assert first["Idempotency-Key"] == message().fingerprint


async def test_a_full_mailbox_is_tried_again(mailbox: MailReceiver) -> None:
    mailbox.full = True
    channel = AppriseChannel(
        f"mailto://user:s3cretword@127.0.0.1:{mailbox.port}?from=a@park.example&to=desk@park.example&mode=insecure"
    )
    error = await refused(channel)
    assert error.retryable
    assert "s3cretword" not in str(error)


async def test_a_web_hook_gets_the_facts_and_the_key(receiver: HttpReceiver) -> None:
    await AppriseChannel(f"json://{receiver.host}/alarms").send(message())
    (taken,) = receiver.taken
    assert taken.path == "/alarms"
    assert taken.headers["idempotency-key"] == message().fingerprint
    assert taken.body["title"] == message().subject
    assert (taken.body["key"], taken.body["why"]) == ("17-first-0-desk", "first")
    assert taken.body["details"]["alarms"][0]["value"] == 962.0


@pytest.mark.parametrize(("status", "retryable"), [(500, True), (503, True), (404, True), (429, True), (400, False)])
@pytest.mark.parametrize("kind", ["json", "alertmanager"])
async def test_a_refusal_says_whether_to_try_again(
    receiver: HttpReceiver, kind: str, status: int, retryable: bool
) -> None:
    receiver.status, receiver.headers = status, {"Retry-After": "7"}
    channels = Channels({variable_of("desk"): f"{kind}://{receiver.host}/secretpath"}, ManualClock())
    channel = channels.get("desk")
    assert channel is not None
    error = await refused(channel)
    assert (error.retryable, error.after_s) == (retryable, 7.0)
    assert str(error).startswith(f"HTTP {status}")
    assert "secretpath" not in str(error)


ROBOTS = [
    ("dingtalk://TOKENTOKENTOKEN", b'{"errcode":310000,"errmsg":"keywords not in content"}', "errcode 310000"),
    ("wecombot://keykeykeykey", b'{"errcode":93000,"errmsg":"invalid webhook url"}', "errcode 93000"),
    ("feishu://TOKENTOKENTOKEN", b'{"code":19021,"msg":"sign match fail","data":{}}', "code 19021"),
]


@pytest.mark.parametrize(("url", "answer", "said"), ROBOTS)
async def test_a_robot_that_answers_200_and_refuses_has_not_taken_it(
    receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch, url: str, answer: bytes, said: str
) -> None:
    channel = AppriseChannel(url)
    kind = type(channel._plugin())
    path = kind.notify_url.removeprefix("https://").partition("/")[2]
    monkeypatch.setattr(kind, "notify_url", f"http://{receiver.host}/{path}")
    receiver.answer = answer
    error = await refused(channel)
    assert said in str(error)
    assert error.retryable
    receiver.answer = b'{"errcode":0,"errmsg":"ok","code":0}'
    await channel.send(message())
    text = str(receiver.taken[-1].body)
    assert "关口功率过高" in text
    assert f"#{message().fingerprint}" in text


async def test_an_sms_gateway_gets_the_text_and_its_refusal_is_one(
    receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = AppriseChannel("httpsms://apikeyapikey@8613800000000/8613900000000")
    monkeypatch.setattr(type(channel._plugin()), "notify_url", f"http://{receiver.host}/v1/messages/send")
    await channel.send(message())
    assert "962 kW" in receiver.taken[0].body["content"]
    assert receiver.taken[0].body["to"] == "+8613900000000"
    receiver.status = 503
    error = await refused(channel)
    assert (str(error), error.retryable) == ("HTTP 503", True)


async def test_a_dead_server_is_tried_again_and_its_secret_is_not_told() -> None:
    port = free_port()
    for url in (
        f"json://user:s3cretword@127.0.0.1:{port}/tokentoken",
        f"alertmanager://user:s3cretword@127.0.0.1:{port}",
    ):
        channel = Channels({variable_of("desk"): url}, ManualClock()).get("desk")
        assert channel is not None
        error = await refused(channel)
        assert error.retryable
        assert "no answer" in str(error)
        assert "s3cretword" not in str(error)
        assert "tokentoken" not in str(error)


async def test_a_slow_server_ends_by_its_time_and_delays_no_other(receiver: HttpReceiver) -> None:
    receiver.hold = True
    slow = AppriseChannel(f"json://{receiver.host}/slow", read_s=20, total_s=0.5)
    with http_receiver() as quick:
        began = time.monotonic()
        errors, _ = await asyncio.gather(refused(slow), AppriseChannel(f"json://{quick.host}/").send(message()))
        assert time.monotonic() - began < 5
        assert len(quick.taken) == 1
    assert str(errors) == "no answer within 0.5 s"
    assert errors.retryable


async def test_a_server_that_never_answers_holds_a_few_threads_and_no_more(receiver: HttpReceiver) -> None:
    receiver.hold = True
    slow = AppriseChannel(f"json://{receiver.host}/slow", read_s=20, total_s=0.2)
    said = [str(error) for error in await asyncio.gather(*(refused(slow) for _ in range(18)))]
    assert (
        sorted(said) == ["earlier messages are still under way and get no answer"] * 2 + ["no answer within 0.2 s"] * 16
    )


async def test_alertmanager_keeps_an_alert_until_its_recovery(receiver: HttpReceiver) -> None:
    channel = AlertmanagerChannel(f"alertmanager://{receiver.host}/prefix", ManualClock(T0))
    await channel.send(message())
    await channel.send(message("repeat", value=980.0))
    await channel.send(message("recovered", resolved_ms=T0 + 1000))
    first, again, over = (taken.body[0] for taken in receiver.taken)
    assert receiver.taken[0].path == "/prefix/api/v2/alerts"
    assert first["labels"] == {
        "alertname": "gate-demand",
        "park": "demo",
        "kind": "threshold",
        "subject": "point:gate/active_power",
        "severity": "critical",
    }
    assert first["labels"] == again["labels"] == over["labels"]
    assert first["startsAt"] == over["startsAt"] == "2025-11-21T14:31:05.000+00:00"
    assert first["endsAt"] > "2025-12-20"
    assert over["endsAt"] == "2025-11-21T14:32:06.000+00:00"
    assert first["annotations"]["key"] == "17-first-0-desk"
    assert first["generatorURL"] == "https://park.example.org/#alarms/17"


async def test_a_heartbeat_ends_by_itself_in_alertmanager(receiver: HttpReceiver) -> None:
    channel = AlertmanagerChannel(f"alertmanager://{receiver.host}", ManualClock(T0))
    await channel.send(Message("heartbeat-1", HEARTBEAT, "low", "alive", "", {}))
    (alert,) = receiver.taken[0].body
    assert alert["labels"]["alertname"] == "ParkCarbonHeartbeat"
    assert (alert["startsAt"], alert["endsAt"]) == ("2025-11-21T14:32:05.000+00:00", "2025-11-21T14:35:05.000+00:00")


def test_addresses_come_from_variables_or_files(tmp_path: Path) -> None:
    secret = tmp_path / "desk"
    secret.write_text("json://hook.example/desk\n")
    channels = Channels(
        {
            "PARKCARBON_ALARM_CHANNEL_DESK_MAIL_FILE": str(secret),
            "PARKCARBON_ALARM_CHANNEL_AM": "alertmanager://am:9093",
        },
        ManualClock(),
    )
    assert len(channels) == 2
    assert isinstance(channels.get("desk-mail"), AppriseChannel)
    assert isinstance(channels.get("am"), AlertmanagerChannel)
    assert channels.get("nobody") is None


def test_every_wrong_address_is_named_and_none_is_shown() -> None:
    with pytest.raises(SettingsError) as wrong:
        Channels(
            {
                "PARKCARBON_ALARM_CHANNEL_A": "carrier-pigeon://s3cretword",
                "PARKCARBON_ALARM_CHANNEL_B": "dingtalk://",
                "PARKCARBON_ALARM_CHANNEL_C": "  ",
                "PARKCARBON_ALARM_CHANNEL_D_FILE": "missing-file",
                "PARKCARBON_ALARM_CHANNEL_E": "alertmanager://",
                "PARKCARBON_ALARM_CHANNEL_F": "alertmanager://s3cretword:x@host:port",
                "PARKCARBON_ALARM_CHANNEL_G": "s3cretword",
            },
            ManualClock(),
        )
    said = str(wrong.value)
    assert [part.split(":")[0].removeprefix("PARKCARBON_ALARM_CHANNEL_") for part in said.split("; ")] == [
        *("A", "B", "C", "D_FILE", "E", "F", "G")
    ]
    assert "s3cretword" not in said
