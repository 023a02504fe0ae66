"""Objects that the library makes from attributes of the schema."""


class Made:
    """An object over one of the library's, which is made anew when an attribute is set.

    Classes that derive from this say what makes it in ``_maker``.
    """

    _maker = None
    _handle = None
    _name = None
    _attributes = ()

    def _make(self, name, attributes):
        self.__dict__.update(attributes)
        self._name, self._attributes = name, tuple(attributes)
        self._remake()

    def _remake(self):
        self._handle = self._maker(self._name, self._values())

    def _values(self):
        return {name: self.__dict__[name] for name in self._attributes}

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)
        if name in self._attributes:
            self._remake()

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name != "_handle"}

    def __setstate__(self, state):
        self.__dict__.update(state)
        if self._name is not None:
            self._remake()
