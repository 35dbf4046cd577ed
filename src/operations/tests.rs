//! Operations through a real service, a real store and the sandbox.
