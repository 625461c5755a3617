GREETING = "good day"
