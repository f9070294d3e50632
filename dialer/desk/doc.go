// Package desk is what the service shows by HTTP: its metrics for Prometheus and
// whether calls can be cleared.
package desk
