"""What it would take: the least value of a lever with which a named target is met."""

from hukou_opt.planning.goal_seek.goal import Goal, goal_of
from hukou_opt.planning.goal_seek.run import Run
from hukou_opt.planning.goal_seek.seek import GoalSeek, goal_seek

__all__ = ["Goal", "GoalSeek", "Run", "goal_of", "goal_seek"]
