"""Areas, coverage rules, the decision, handoffs, clocks and escalation."""
