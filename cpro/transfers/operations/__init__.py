"""The actions on transfers. Those of a school that reach the other school take a platform session:

    with platform_unit_of_work("transfers: …") as work:
        cancel(work.session, establishment_id=principal.establishment_id, side_id=…, by=current_actor(), now=…)

and name the acting school in each statement; a side of another school does not exist for them (`NotFound`).
"""
