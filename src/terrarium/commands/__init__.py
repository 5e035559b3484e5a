"""Commands of the project: `kedro terrarium NAME`."""
