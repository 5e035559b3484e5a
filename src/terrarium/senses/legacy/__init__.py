"""NAOMI-II as it was: items of lemma and part of speech, fixed target distances, growth by timetable."""
