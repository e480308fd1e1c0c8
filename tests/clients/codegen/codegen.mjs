// graphql-codegen over what the running server tells of its schema, with the types that its scalars have in JSON.

export default {
  schema: { [process.env.GRAPHQL_URL]: { headers: { authorization: `Bearer ${process.env.GRAPHQL_KEY}` } } },
  documents: 'documents/*.graphql',
  importExtension: '.js',
  generates: {
    'generated/codegen/graphql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: { unmaskFunctionName: 'unmask' } },
      config: {
        strictScalars: true,
        scalars: { DateTime: 'string', JSON: 'unknown', ObjectID: 'string', URL: 'string' },
        useTypeImports: true,
      },
    },
  },
};
