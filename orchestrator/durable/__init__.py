"""The workflow engine: sessions as durable workflows. The only room that knows DBOS."""
