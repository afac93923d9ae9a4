"""WatchNext as a service beside others, measured from outside."""
