/** An experiment file to begin with. */
export const exampleFile = `{
  "layers": [
    {
      "name": "retrieval",
      "salt": "retrieval-1",
      "experiments": [
        {
          "name": "no-trending",
          "control": "as-is",
          "arms": [
            { "name": "as-is", "share": 0.25 },
            { "name": "without", "share": 0.25, "withoutSources": ["trending"] }
          ]
        }
      ]
    }
  ]
}`
