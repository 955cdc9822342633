"""The whole story: every verb that touches several capabilities, a module for each stage.

booking (the citizen asks) -> dispatching (a round is planned) -> riding (the door) -> counter (post office and agency).
"""
