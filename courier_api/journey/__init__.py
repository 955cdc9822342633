"""The whole story: every verb that touches several capabilities, a module for each part.

booking (the citizen asks) -> dispatching (a round is planned) -> riding (the door) -> post_office -> agency;
counter holds what the last two have in common.
"""
