"""Where trained networks (others' and ours) are found, fetched, verified, learnt."""
