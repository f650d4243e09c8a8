"""Tables that judge and explain who stays and who leaves."""
