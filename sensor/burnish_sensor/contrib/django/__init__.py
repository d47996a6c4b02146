"""A Django application that starts the sensor: ``INSTALLED_APPS = ["burnish_sensor.contrib.django", …]``.

First in the list, so that models, views and commands of the applications after it are observed. What is imported
before, the settings and ``manage.py``, is not. The root is ``settings.BASE_DIR`` where BURNISH_ROOT does not say.
"""
