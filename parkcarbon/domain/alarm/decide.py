"""The decision: from what is remembered of a subject, what was seen of it and now to a new state and what to do.

Phases follow the observations in event time (`steps`). Who is told follows the time of now, once all that was seen has
been judged: `due` is the table of it, one reason for each row. An episode that fired and ended among what was not seen
before belongs to a past already over: it goes into the list, and nobody is woken for it.

A recovery goes out when, and only when, the alarm went out; whatever mutes the alarm by then does not keep it back, or
somebody would go on believing in an alarm that is over.

References:
    prometheus/alertmanager `notify/dedup_stage.go:needsUpdate` (a reason for each outcome); IEC 62682 (acknowledge,
    shelve).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from parkcarbon.domain.refusal import RefusedError

from .steps import Event, late, step
from .types import (
    MINUTE_MS,
    Action,
    AlarmState,
    Decision,
    Episode,
    Historical,
    Muting,
    Observation,
    Opened,
    Phase,
    Policy,
    Resolved,
    Tell,
    Why,
    Withheld,
)

Act: TypeAlias = Literal["acknowledge", "comment", "shelve", "unshelve", "out_of_service", "in_service"]
MAX_SHELVE_MS: Final = 8 * 60 * MINUTE_MS
NOT_MUTED: Final = Muting()
_TOLD: Final = frozenset({Why.FIRST, Why.REPEAT, Why.ESCALATION})
_KEEPS_BACK: Final = frozenset({Why.SHELVED, Why.OUT_OF_SERVICE, Why.SILENCED, Why.MAINTENANCE, Why.INHIBITED})


@dataclass(frozen=True, slots=True)
class Due:
    """A row of the table: whether somebody is told of a firing alarm now, and why.

    Attributes:
        why: FIRST, REPEAT, ESCALATION; or why not.
        detail: id of what keeps it back.
        wake_ms: when the answer may change although nothing is seen [ms UTC]; None: not by time.
    """

    why: Why
    detail: str = ""
    wake_ms: int | None = None


def decide(
    policy: Policy,
    state: AlarmState,
    seen: Sequence[Observation],
    now_ms: int,
    muting: Muting = NOT_MUTED,
    *,
    restarted: bool = False,
) -> Decision:
    """Judge what was seen of one subject and say what is to be done.

    Args:
        policy: of the rule.
        state: what is remembered; it is all there is to remember, so a restart changes nothing.
        seen: observations of that subject, in any order. At the watermark: seen before, ignored. Older: late.
        now_ms: time of now [ms UTC].
        muting: what keeps this alarm from going out now, see `mute`.
        restarted: the evaluator was away: what opens now is marked as evaluated late.

    Returns:
        New state, actions in order, when to look again.
    """
    newer = sorted((one for one in seen if one.at_ms > state.seen_ms), key=_moment)
    older = [one for one in seen if one.at_ms < state.seen_ms]
    actions: list[Action] = list(late(policy, state, older)) if older else []
    fired = False
    for observation in newer:
        if observation.at_ms <= state.seen_ms:
            continue  # a second one of the same moment
        state, event, episode = step(policy, state, observation)
        if event is Event.FIRED:
            fired = True
        elif event is Event.RESOLVED and episode is not None:
            over = (
                _past(state, episode, observation.at_ms)
                if fired
                else _over(policy, state, episode, observation, now_ms)
            )
            actions += over
            fired = False
    if fired and state.episode is not None:
        opened = replace(state.episode, late=restarted)
        state = replace(state, episode=opened)
        actions.append(Opened(state.subject, opened))
    return _tell(policy, state, now_ms, muting, actions)


def due(policy: Policy, state: AlarmState, now_ms: int, muting: Muting = NOT_MUTED) -> Due:
    """Whether somebody is told of an alarm now: the first row that applies.

    | row | answer |
    |---|---|
    | it does not fire | NOT_YET |
    | a person took it on | ACKNOWLEDGED |
    | it has not gone out | FIRST |
    | a step of escalation has come | ESCALATION |
    | `repeat_ms` after it last went out | REPEAT |
    | else | NOT_YET, until one of them comes |

    What is due but kept back is answered by what keeps it back: OUT_OF_SERVICE, SHELVED, or the muting's reason.

    >>> state = AlarmState("park", Phase.FIRING, episode=Episode(from_ms=0, fired_ms=0))
    >>> due(Policy("peak", "demand_peak"), state, 1_000).why
    <Why.FIRST: 'first'>
    """
    episode = state.episode
    if state.phase is not Phase.FIRING or episode is None:
        return Due(Why.NOT_YET)
    if episode.acknowledged_ms is not None:
        return Due(Why.ACKNOWLEDGED)
    wanted = _wanted(policy, episode, now_ms)
    return _kept_back(state, now_ms, muting) or wanted if wanted.why in _TOLD else wanted


def apply_act(
    state: AlarmState, act: Act, person: str, at_ms: int, until_ms: int | None = None, *, comment: str = ""
) -> AlarmState:
    """What a person does with an alarm.

    An acknowledgement ends repeats and escalation, not the episode; the first one counts. Shelving ends by itself.

    Args:
        state: before.
        act: what is done.
        person: who does it.
        at_ms: when [ms UTC].
        until_ms: end of shelving, at most 8 h from now [ms UTC]; only for `shelve`.
        comment: why; required for `shelve` and `out_of_service`.

    Raises:
        RefusedError: the act does not fit the alarm, or nobody says who or why.
    """
    _check_act(state, act, person, at_ms, until_ms, comment=comment)
    if act == "shelve":
        return replace(state, shelved_until_ms=until_ms or 0)
    if act == "unshelve":
        return replace(state, shelved_until_ms=0)
    if act in ("out_of_service", "in_service"):
        return replace(state, out_of_service=act == "out_of_service")
    episode = state.episode
    if act == "acknowledge" and episode is not None and episode.acknowledged_ms is None:
        taken = replace(episode, acknowledged_ms=at_ms, acknowledged_by=person, withheld=None)
        return replace(state, episode=taken)
    return state


def _check_act(state: AlarmState, act: Act, person: str, at_ms: int, until_ms: int | None, *, comment: str) -> None:
    wrong = [] if person.strip() else ["somebody must do it: who?"]
    if act == "acknowledge" and (state.episode is None or state.episode.fired_ms is None):
        wrong.append(f"no alarm stands for {state.subject}: there is nothing to acknowledge")
    if act in ("shelve", "out_of_service") and not comment.strip():
        wrong.append(f"{act} wants a reason")
    if act == "shelve":
        wrong += _wrong_end(at_ms, until_ms)
    elif until_ms is not None:
        wrong.append(f"{act} has no end")
    if wrong:
        raise RefusedError("", "; ".join(wrong))


def _wrong_end(at_ms: int, until_ms: int | None) -> list[str]:
    if until_ms is None:
        return ["shelve wants an end, at most 8 h from now"]
    if until_ms <= at_ms:
        return ["shelve wants an end after now"]
    if until_ms - at_ms > MAX_SHELVE_MS:
        return [f"shelved for {(until_ms - at_ms) / 3.6e6:.1f} h, at most 8 h are allowed"]
    return []


def _moment(observation: Observation) -> int:
    return observation.at_ms


def _past(state: AlarmState, episode: Episode, at_ms: int) -> list[Action]:
    """It fired and ended before anybody looked."""
    return [Historical(state.subject, replace(episode, late=True), at_ms)]


def _over(policy: Policy, state: AlarmState, episode: Episode, seen: Observation, now_ms: int) -> list[Action]:
    """An alarm that stood is over: those who were told of it are told."""
    if episode.told_ms is None:
        return [Resolved(state.subject, episode, seen.at_ms), Withheld(state.subject, Why.NEVER_WENT_OUT)]
    count = episode.times_told
    last = replace(episode, last_told_ms=now_ms, times_told=count + 1, withheld=None)
    tell = Tell(state.subject, Why.RECOVERED, _told_so_far(policy, episode), count, last)
    return [Resolved(state.subject, last, seen.at_ms), tell]


def _told_so_far(policy: Policy, episode: Episode) -> tuple[str, ...]:
    taken = policy.steps[: episode.steps_taken]
    return tuple(dict.fromkeys([*policy.receivers, *(name for one in taken for name in one.receivers)]))


def _kept_back(state: AlarmState, now_ms: int, muting: Muting) -> Due | None:
    """What keeps it from going out; None: nothing does."""
    if state.out_of_service:
        return Due(Why.OUT_OF_SERVICE)
    if state.shelved_until_ms > now_ms:
        return Due(Why.SHELVED, wake_ms=state.shelved_until_ms)
    return Due(muting.why, muting.detail, muting.until_ms) if muting.why is not None else None


def _wanted(policy: Policy, episode: Episode, now_ms: int) -> Due:
    """What is due, whatever keeps it back."""
    if episode.told_ms is None or episode.last_told_ms is None:
        return Due(Why.FIRST)
    moments = [episode.last_told_ms + policy.repeat_ms] if policy.repeat_ms > 0 else []
    if episode.steps_taken < len(policy.steps):
        escalate_ms = episode.told_ms + policy.steps[episode.steps_taken].after_ms
        if now_ms >= escalate_ms:
            return Due(Why.ESCALATION)
        moments.append(escalate_ms)
    if policy.repeat_ms > 0 and now_ms >= episode.last_told_ms + policy.repeat_ms:
        return Due(Why.REPEAT)
    return Due(Why.NOT_YET, wake_ms=min(moments, default=None))


def _tell(policy: Policy, state: AlarmState, now_ms: int, muting: Muting, actions: list[Action]) -> Decision:
    """Add who is told, once everything seen has been judged."""
    episode = state.episode
    answer = due(policy, state, now_ms, muting)
    if episode is None or answer.why not in _TOLD:
        return _untold(state, answer, actions)
    steps = policy.steps[episode.steps_taken :] if answer.why is Why.ESCALATION else ()
    came = [one for one in steps if now_ms >= (episode.told_ms or 0) + one.after_ms]
    told = replace(
        episode,
        told_ms=now_ms if episode.told_ms is None else episode.told_ms,
        last_told_ms=now_ms,
        times_told=episode.times_told + 1,
        steps_taken=episode.steps_taken + len(came),
        withheld=None,
    )
    receivers = (
        tuple(dict.fromkeys(name for one in came for name in one.receivers)) if came else _told_so_far(policy, episode)
    )
    actions.append(Tell(state.subject, answer.why, receivers, episode.times_told, told))
    following = _wanted(policy, told, now_ms)
    wake_ms = now_ms if following.why in _TOLD else following.wake_ms
    return Decision(replace(state, episode=told), tuple(actions), wake_ms)


def _untold(state: AlarmState, answer: Due, actions: list[Action]) -> Decision:
    """Nobody is told: say why, once for each reason."""
    kept_back = answer.why if answer.why in _KEEPS_BACK else None
    if state.episode is not None and state.phase is Phase.FIRING and state.episode.withheld is not kept_back:
        state = replace(state, episode=replace(state.episode, withheld=kept_back))
        if kept_back is not None:
            actions.append(Withheld(state.subject, kept_back, answer.detail))
    return Decision(state, tuple(actions), answer.wake_ms)
