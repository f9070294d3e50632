// Package campaigns knows whom to call and when to call again: the campaign
// file, the list loader, Lead, Number, retry and the queue of leads due.
//
// It imports nothing of Pronto's. State is behind LeadStore, which dialer/store
// implements.
package campaigns
