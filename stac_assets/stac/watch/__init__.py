"""What has changed at an API since the last look."""
