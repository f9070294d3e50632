package campaigns

// Draw says which leads a Lease shall give: agreed calls that are due, then
// retries, then fresh leads.
type Draw struct {
	N int // at most, in all
	// Lots are the lists whose leads may come, "" for leads that were loaded without a list; nil: all, as
	// many of each as there are. Within the lots leads come by priority, then by their order in the list.
	Lots []Lot
	// Order of fresh leads of one priority. OrderPropensity gives those that PutBy set behind after the others,
	// but one in PutByEach before them, so that none waits for ever.
	Order Order
}

// Lot is a list from which leads are drawn.
type Lot struct {
	List  string
	Fresh int // fresh leads at most
}

// PutByEach is how many fresh leads are leased for one that was put by.
const PutByEach = 8

// Lists are the names of the lots; nil: every list.
func (d Draw) Lists() []string {
	if d.Lots == nil {
		return nil
	}
	names := make([]string, len(d.Lots))
	for i, l := range d.Lots {
		names[i] = l.List
	}
	return names
}

// Fresh is how many fresh leads of a list may come.
func (d Draw) Fresh(list string) int {
	if d.Lots == nil {
		return d.N
	}
	for _, l := range d.Lots {
		if l.List == list {
			return min(l.Fresh, d.N)
		}
	}
	return 0
}
