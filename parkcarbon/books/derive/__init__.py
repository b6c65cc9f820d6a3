"""Facts to intervals: one way for ingest, API and command line to turn what was recorded into energy and emissions."""
