"""The example shop under stock OpenTelemetry and nothing else: what do the findings say then?"""
