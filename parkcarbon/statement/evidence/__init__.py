"""What a statement rests on, and how its figures come out again from registers without trusting the operator."""
