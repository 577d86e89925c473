
N
en#It was spoken in this language.#It was spoken in this language.
C
id
[id] I led the move and 
[id] we cut costs by a third)
fake-translator1