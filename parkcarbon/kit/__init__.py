"""Infrastructure any service needs: clock, settings, logs, broker, database, outbox. No domain words."""
