"""The factor library in the database: records, who approved them, hourly series, warnings."""
