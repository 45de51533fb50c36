import ts from 'typescript';

/**
 * Every module that a source file imports or re-exports from: the specifier and the names taken, `*` for all of them
 * and none for an import that is there for its side effects.
 */
export function importsOf(source) {
  const found = [];
  const visit = (node) => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      found.push({ from: node.moduleSpecifier.text, names: namesOf(node) });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      found.push({ from: node.arguments[0].text ?? '(computed)', names: [{ name: '*', isType: false }] });
    } else if (ts.isImportTypeNode(node)) {
      found.push({ from: node.argument.literal.text, names: [{ name: '*', isType: true }] });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function namesOf(node) {
  const clause = ts.isImportDeclaration(node) ? node.importClause : node;
  if (clause === undefined) return [];
  const bindings = clause.namedBindings ?? clause.exportClause;
  const names = (bindings?.elements ?? []).map((element) => ({
    name: (element.propertyName ?? element.name).text,
    isType: clause.isTypeOnly || element.isTypeOnly,
  }));
  const takesAll = bindings ? bindings.elements === undefined : clause.name === undefined;
  if (takesAll) names.push({ name: '*', isType: clause.isTypeOnly });
  if (clause.name) names.push({ name: 'default', isType: clause.isTypeOnly });
  return names;
}
