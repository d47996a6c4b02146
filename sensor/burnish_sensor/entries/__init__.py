"""The requests, tasks and jobs that calls work for, and what is noted of them."""
