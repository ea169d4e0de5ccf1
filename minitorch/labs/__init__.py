"""The course's claims as experiments: each lab has ``run`` (numbers) and ``draw`` (a picture)."""
