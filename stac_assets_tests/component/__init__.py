"""A catalog as a component: in a guest's project by `dg`, and in this process."""
