package exchange

// Bodies lends the valid bodies to the tests outside the package.
var Bodies = bodies
