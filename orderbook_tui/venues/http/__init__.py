"""An exchange's REST API, described in configuration.

templates      texts with placeholders -> paths, queries, headers, bodies; `values` is what stands in them
operations     one request, ready to be made for an order; `signing` signs it
client         sends it, within `limits`, and says whether it can have arrived
expressions    jmespath over what comes back, exact
rules          what a reply means; `replies` and `holdings`: what it says, in ticks, lots and units
stream         what the exchange tells by itself
venue          all of it as a venue
"""
