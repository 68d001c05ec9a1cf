"""The admin API, and later the dashboard."""
