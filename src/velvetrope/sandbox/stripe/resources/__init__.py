"""What each family of API addresses does; functions take a `Call` and give the object answered."""
