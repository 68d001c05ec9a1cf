"""The small document-question service that ``poorwill demo`` puts to sleep and wakes.

It is a program of its own (``python -m poorwill.demo.service``) and knows nothing of Poorwill: what works
for it works for any other service. Nothing is imported here, so that it starts quickly.
"""
