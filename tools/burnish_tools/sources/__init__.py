"""What others know of the service: its database's statistics, and sampling profiles of its processes. One file each.

A profile is read into `Stacks`: how often each line was the innermost of a sample. A file dropped in here with a class
that has a `name`, `suffixes` and `read` is found.
"""
