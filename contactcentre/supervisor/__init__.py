"""The whole product on one machine: embedded PostgreSQL and Valkey, the product's processes, the practice networks.

`python -m contactcentre.supervisor run | with | reset`. A house of its own: it starts the others as processes and
imports none of them, so that it can say clearly what is wrong when they cannot even be imported.
"""
