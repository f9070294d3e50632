// Package odds learns from a campaign's calls which leads are likely to answer:
// it joins what campaigns knows of a lead (campaigns.Features), what the journal
// says came of it, and the model of pacing/propensity. The service asks it for the leads
// next in the queue, the report holds its predictions against what came.
package odds
