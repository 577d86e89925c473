"""What every process needs that is not its job: errors, settings, server, client, media, models, logs."""
