"""What serving and training cost as each thing grows: `python -m benchmarks.scaling`."""
