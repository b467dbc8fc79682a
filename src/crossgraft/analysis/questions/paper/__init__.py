"""The paper's own statistics beside ours."""
