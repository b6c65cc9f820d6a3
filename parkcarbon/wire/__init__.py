"""What edge, gateway and ingest agree on: topics, batches, receipts and how custody is handed over."""
