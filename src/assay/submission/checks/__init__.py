"""What is looked at in each part of an entry: functions from files to issues, which never ask for a round's name."""
