"""What other parts of the shop listen to."""

from django.dispatch import Signal

products_shown = Signal()
