"""`kedro terrarium explore`: an interactive picture of the newest vectors, on this machine only."""
