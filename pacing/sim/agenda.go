package sim

// agenda is what is due, earliest first, equal times in the order they were entered.
type agenda struct {
	items []item
	seq   int
}

type item struct {
	at   int64
	seq  int
	what uint8
	who  int
	note int
}

func (a *agenda) add(at int64, what uint8, who, note int) {
	a.seq++
	a.items = append(a.items, item{at, a.seq, what, who, note})
	i := len(a.items) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !a.items[i].before(&a.items[up]) {
			break
		}
		a.items[i], a.items[up] = a.items[up], a.items[i]
		i = up
	}
}

func (x *item) before(y *item) bool { return x.at < y.at || x.at == y.at && x.seq < y.seq }

func (a *agenda) pop() item {
	top := a.items[0]
	last := len(a.items) - 1
	a.items[0] = a.items[last]
	a.items = a.items[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			break
		}
		if down+1 < last && a.items[down+1].before(&a.items[down]) {
			down++
		}
		if !a.items[down].before(&a.items[i]) {
			break
		}
		a.items[i], a.items[down] = a.items[down], a.items[i]
		i = down
	}
	return top
}
