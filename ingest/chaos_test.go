package ingest

func chaosChild(role string) int { return 2 }
