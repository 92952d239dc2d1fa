package dashboards

// inPairs lays short cards side by side, two to a line; of an odd number the last has a line
// to itself, so that no line ends in a hole.
func inPairs(cards []card) []card {
	for i := range cards {
		cards[i].Wide = "w6"
	}
	if n := len(cards); n%2 == 1 {
		cards[n-1].Wide = "w12"
	}
	return cards
}
