"""What training promises and the network that keeps it: shared by the offline and the online line."""
