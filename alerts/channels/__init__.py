"""Ways out of the alerts process: mail, chat robots, web hooks and SMS gateways through Apprise, and Alertmanager."""
