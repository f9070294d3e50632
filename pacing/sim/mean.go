package sim

// Mean is the mean of one value per seed with its interval; two values at least.
func Mean(values []float64) Figure { return figure(values) }
