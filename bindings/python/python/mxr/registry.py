"""Classes by name, for functions that make an object of a class by its name."""

import difflib
import json
import warnings

from .base import InvalidTypeError, InvalidValueError

__all__ = ["get_alias_func", "get_create_func", "get_register_func", "get_registry"]

_REGISTRY = {}


def get_registry(base_class):
    """The classes that are registered for a base class, by name: a copy."""
    return _REGISTRY.setdefault(base_class, {}).copy()


def get_register_func(base_class, nickname):
    """A decorator that registers classes under their names.

    Parameters
    ----------
    base_class : type
        What the classes derive from.
    nickname : str
        What they are called in messages.
    """
    registry = _REGISTRY.setdefault(base_class, {})

    def register(klass, name=None):
        if not (isinstance(klass, type) and issubclass(klass, base_class)):
            raise InvalidTypeError(f"expected a subclass of {base_class.__name__}, got {klass!r}")
        name = (name or klass.__name__).lower()
        if registry.get(name, klass) is not klass:
            warnings.warn(
                f"{nickname} {klass.__module__}.{klass.__name__} takes the name '{name}' of "
                f"{registry[name].__module__}.{registry[name].__name__}",
                stacklevel=2,
            )
        registry[name] = klass
        return klass

    register.__doc__ = f"Registers a class for ``create``, as {nickname}, under its name."
    return register


def get_alias_func(base_class, nickname):
    """A function that makes decorators, which register classes under further names."""
    register = get_register_func(base_class, nickname)

    def alias(*aliases):
        def decorate(klass):
            for name in aliases:
                register(klass, name)
            return klass

        return decorate

    alias.__doc__ = f"A decorator that registers a class for ``create``, as {nickname}."
    return alias


def get_create_func(base_class, nickname):
    """A function that makes an object of a registered class by its name."""
    registry = _REGISTRY.setdefault(base_class, {})

    def create(*args, **kwargs):
        name, args = (args[0], args[1:]) if args else (kwargs.pop(nickname, None), ())
        if isinstance(name, base_class):
            if args or kwargs:
                raise InvalidValueError(f"{nickname}: an object takes no further arguments")
            return name
        if isinstance(name, str) and name.startswith("["):
            name, kwargs = json.loads(name)
        elif isinstance(name, str) and name.startswith("{"):
            return create(**json.loads(name))
        elif isinstance(name, dict):
            return create(**name)
        if not isinstance(name, str):
            raise InvalidTypeError(f"{nickname}: expected a name, got {name!r}")
        return find(registry, nickname, name)(*args, **kwargs)

    create.__doc__ = f"""Makes an object by the name of its class; capital letters do not matter.

    Parameters
    ----------
    {nickname} : str, dict or {base_class.__name__}
        The name; or JSON as ``dumps`` writes it; or an object, which is returned.
    **kwargs
        The arguments of the class.
    """
    return create


def find(registry, nickname, name):
    """The class with a name; an error that names the nearest if there is none."""
    klass = registry.get(name.lower())
    if klass is None:
        close = difflib.get_close_matches(name.lower(), registry, 1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise InvalidValueError(f"there is no {nickname} '{name}'{hint}")
    return klass
