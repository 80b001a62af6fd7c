"""Random walks: several sessions and another program change everything there is; nothing that was promised breaks."""
