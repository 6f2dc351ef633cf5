"""How peers are reached: one package for each protocol. They meet the rest of the house at the ports of the domain."""
