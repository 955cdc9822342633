"""Searches for good routes, compiled: ruin strings of neighbouring stops, put them back where they cost least, anneal.

The method is SISR, "Slack Induction by String Removals" (Christiaens & Vanden Berghe, Transportation Science 2020),
with swaps of route tails beside it; that an insertion is tested in constant time comes from forward earliest and
backward latest times (Savelsbergh 1992).

Routes are linked lists over *nodes*, so no route has a longest length. For S stops, B breaks and V couriers they are

      0 ........ S-1 | S .... S+B-1 | S+B ..... S+B+V-1 | S+B+V ..... S+B+2V-1
      stops            breaks         couriers' starts    couriers' ends

and courier v's route with stops 4 and 2 and a break between them reads

      node       S+B+v ---> 4 ---> S+1 ---> 2 ---> S+B+V+v     following[S+B+v] == 4, following[4] == S+1, ...
      place      office     A      A        B      office      a break is taken where the courier is
      ready      free since        when service (or rest) at the node ends at the earliest
      late_new              latest arrival with which all the rest still fits, when the node pays its set-up
      late_same             the same when the stop before is at the same address, so that set-up falls away
      load       on board when leaving the node; deliveries without a pickup are loaded at the start
      load_before           largest load from the start up to the node     load_after   largest from the node to the end

A request has one stop (`second[r] == NONE`) or two (pickup `first[r]`, delivery `second[r]`). All times, loads and
costs are integers; only the annealing temperature is a float.

      arrays      Model (what is given), Search (what changes)        ruin        strings of stops come out
      schedule    times, loads, cost along a route                    tails       two couriers swap the ends of routes
      breaks      where a rest delays least                           annealing   one iteration after the other
      placement   what a request costs at one place                   undo        what is rejected never was
      insertion   the cheapest of many places                         routes      whole routes: loaded, remembered
      neighbours  which stops and requests lie near                   alone       how far a request comes by itself
"""
